"""The adapters of the retailers. Start at ``registry.RETAILERS``."""
