-- List the next SKUs whose texts are not read yet, in order.
--
-- Called by   include/catalogue/resolve.py
-- Parameters  after integer: the number of the last one read; limit integer
-- Reads       pending   temporary
-- Run again   same result

SELECT n, name, brand, size FROM pending WHERE n > %(after)s AND folded_brand IS NULL ORDER BY n LIMIT %(limit)s
