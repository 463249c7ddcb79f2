"""# Scrape Woolworths

Crawls tonight's Woolworths stores, from 04:10 Melbourne on, and stages one store-day per store.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_woolworths = scrape_dag("woolworths", minute=10, peculiar=__doc__)
