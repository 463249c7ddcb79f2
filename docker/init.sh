#!/bin/sh
# Prepares the installation before any of Airflow's components starts: both schemas, the bucket, the pools.
# Every step may be repeated, so it runs at each `docker compose up`.
set -eu

echo "Airflow's tables"
airflow db migrate

echo "the warehouse"
aisleflow warehouse migrate

echo "the bucket of $AISLEFLOW_STORAGE_ROOT"
python - <<'PY'
import os
from urllib.parse import urlsplit

import s3fs

bucket = urlsplit(os.environ["AISLEFLOW_STORAGE_ROOT"]).netloc
store = s3fs.S3FileSystem()
if not store.exists(bucket):
    store.mkdir(bucket)
PY

echo "the pools"
python - > /tmp/pools.json <<'PY'
import json

from include.orchestration.pools import POOLS

print(json.dumps({name: {"slots": slots, "description": ""} for name, slots in POOLS.items()}))
PY
airflow pools import /tmp/pools.json
