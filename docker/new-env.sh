#!/bin/sh
# Prints a .env with fresh secrets for docker-compose.yaml: sh docker/new-env.sh > .env
set -eu

secret() { # letters and digits only: they need no quoting in URLs and in JSON
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

echo "# Secrets of this installation, generated once. Keep this file readable only by yourself (chmod 600)."
for name in POSTGRES_PASSWORD AIRFLOW_DB_PASSWORD WAREHOUSE_PASSWORD REDIS_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY \
    AIRFLOW_API_SECRET_KEY AIRFLOW_JWT_SECRET UI_ADMIN_PASSWORD UI_OP_PASSWORD UI_VIEWER_PASSWORD; do
    echo "$name=$(secret)"
done
echo "AIRFLOW_FERNET_KEY=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
