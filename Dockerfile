# The one image of the scaled-out installation: Airflow's components, the workers and the sandbox all run from it
# (docker-compose.yaml, docs/scale-out.md). It has exactly the packages of requirements.lock.

ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
COPY requirements-installer.lock ./
RUN python -m venv /opt/installer \
    && /opt/installer/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-installer.lock
COPY requirements.lock ./
RUN python -m venv /opt/venv \
    && /opt/installer/bin/uv pip install --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode -r requirements.lock

FROM ${PYTHON_IMAGE}
# socat forwards the sandbox's port to a worker (docker/worker.sh)
RUN apt-get update \
    && apt-get install -y --no-install-recommends socat \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin aisleflow \
    # a new volume gets owner and mode of the folder it is mounted on
    && install -d -o aisleflow -g aisleflow -m 0750 /var/lib/aisleflow /var/log/aisleflow
COPY --from=packages /opt/venv /opt/venv

ENV PATH=/opt/venv/bin:$PATH \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/aisleflow \
    AISLEFLOW_HOME=/var/lib/aisleflow \
    AIRFLOW_HOME=/tmp/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/aisleflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/aisleflow/plugins \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/aisleflow \
    AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY=/var/log/aisleflow/dag_processor

WORKDIR /opt/aisleflow
# only the files that .dockerignore includes
COPY . .
# without bytecode every forked task would compile the project again: the file system is read-only when it runs
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && python -m compileall -q include dags plugins sandbox

USER aisleflow
