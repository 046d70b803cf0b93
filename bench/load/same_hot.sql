-- Everybody pays person 1, one call a payment, no HTTP.
\set a random(2, :people)
\set b 1
\set k random(1, 9000000000000000000)
SELECT * FROM transfert(:a, :k::text, 'h', '+22507' || lpad(:b::text, 8, '0'), 1);
