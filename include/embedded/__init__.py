"""The one-machine installation: starts, watches and stops PostgreSQL, Airflow's components and the sandbox.

All its files are below one folder, ``AISLEFLOW_HOME``; two such folders are two independent installations
on one machine. Linux only: processes are identified through ``/proc``.
"""
