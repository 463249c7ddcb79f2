-- Count the proposals by state.
--
-- Called by   include/catalogue/proposals.py
-- Reads       ops.proposal
-- Run again   same result

SELECT state, count(*) AS proposals FROM ops.proposal GROUP BY state ORDER BY state
