#!/bin/sh
# Starts Airflow's API and UI. Its users' passwords come from the environment and stay in memory (/tmp is a tmpfs).
set -eu

umask 077
python - > "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE" <<'PY'
import json
import os

users = [user.partition(":")[0] for user in os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")]
print(json.dumps({user: os.environ[f"UI_{user.upper()}_PASSWORD"] for user in users}))
PY
umask 022
exec airflow api-server
