-- Anybody pays anybody, one call a payment, no HTTP.
\set a random(1, :people)
\set b 1 + (:a - 1 + random(1, :people - 1)) % :people
\set k random(1, 9000000000000000000)
SELECT * FROM transfert(:a, :k::text, 'h', '+22507' || lpad(:b::text, 8, '0'), 1);
