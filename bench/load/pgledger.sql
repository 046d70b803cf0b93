-- One transfer between two of :people accounts of pgledger, one call each.
\set a random(1, :people)
\set b 1 + (:a - 1 + random(1, :people - 1)) % :people
SELECT id FROM pgledger_create_transfer('pgla_' || lpad((:a)::text, 26, '0'), 'pgla_' || lpad((:b)::text, 26, '0'), 1);
