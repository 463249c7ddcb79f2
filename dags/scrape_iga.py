"""# Scrape IGA

Crawls tonight's IGA stores, from 04:30 Melbourne on, and stages one store-day per store.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_iga = scrape_dag("iga", minute=30, peculiar=__doc__)
