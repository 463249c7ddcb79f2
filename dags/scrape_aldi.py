"""# Scrape Aldi

Crawls tonight's Aldi stores, from 04:20 Melbourne on, and stages one store-day per store.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_aldi = scrape_dag("aldi", minute=20, peculiar=__doc__)
