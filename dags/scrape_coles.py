"""# Scrape Coles

Crawls tonight's Coles stores and stages one store-day per store.

Coles lists no barcodes: its store-days go to the barcode inbox, where `enrich_barcodes` fills in the known ones and passes the files on to the outbox.
"""

from include.orchestration.scrape import scrape_dag  # builds an airflow dag

scrape_coles = scrape_dag("coles", peculiar=__doc__)
