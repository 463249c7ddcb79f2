"""The one-machine installation: PostgreSQL, Airflow's components and the sandbox, started, watched and stopped.

Everything lives below one folder, ``AISLEFLOW_HOME``; two such folders are two independent installations
on one machine. Linux only: processes are told apart by ``/proc``.
"""
