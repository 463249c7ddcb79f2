-- Set the first of the unknown SKUs that share a barcode as their leader: one step of a search for connected groups.
--
-- Called by   include/catalogue/resolve.py, repeated until nothing is written
-- Reads       pending
-- Writes      pending   leader
-- Run again   one step further; nothing written once every group has one leader

UPDATE pending
   SET leader = reached.leader
  FROM (SELECT member.n, min(neighbour.leader) AS leader
          FROM (SELECT gtin, min(leader) AS leader
                  FROM (SELECT leader, unnest(gtins) AS gtin FROM pending WHERE product_id IS NULL AND gtins IS NOT NULL) AS given
                 GROUP BY gtin) AS neighbour
          JOIN (SELECT n, unnest(gtins) AS gtin FROM pending WHERE product_id IS NULL AND gtins IS NOT NULL) AS member USING (gtin)
         GROUP BY member.n) AS reached
 WHERE reached.n = pending.n AND reached.leader < pending.leader
