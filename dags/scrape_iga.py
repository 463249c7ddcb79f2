"""# Scrape IGA

Crawls tonight's IGA stores and stages one store-day per store.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_iga = scrape_dag("iga", peculiar=__doc__)
