"""The retailers: one adapter each, and the crawl they share. Start at ``registry.RETAILERS``."""
