-- Add the SKUs of which the rules read something else now, and those that have a product key which is lost to one of them.
--
-- Called by   include/catalogue/read_again.py, before the new keys are saved
-- Reads       changed_identity, core.sku_product_key
-- Writes      due
-- Run again   nothing written
--
-- A key of several products joins nothing; without one of them it may join the others.

WITH lost AS MATERIALIZED (
    SELECT known.product_key
      FROM changed_identity AS changed
      JOIN core.sku_product_key AS known ON known.sku_key = changed.sku_key AND known.product_key <> ALL (changed.product_keys)
     WHERE known.sku_key = ANY (ARRAY(SELECT sku_key FROM changed_identity))
)
INSERT INTO due (sku_key)
SELECT sku_key FROM changed_identity
 UNION
SELECT sku_key FROM core.sku_product_key WHERE product_key = ANY (ARRAY(SELECT product_key FROM lost))
    ON CONFLICT (sku_key) DO NOTHING
