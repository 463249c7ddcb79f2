"""# Scrape Aldi

Crawls tonight's Aldi stores and stages one store-day per store.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_aldi = scrape_dag("aldi", peculiar=__doc__)
