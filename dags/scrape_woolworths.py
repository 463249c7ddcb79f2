"""# Scrape Woolworths

Crawls tonight's Woolworths stores and stages one store-day per store.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_woolworths = scrape_dag("woolworths", peculiar=__doc__)
