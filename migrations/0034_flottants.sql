-- What each route last said of our money there. Owner: crates/wallet/src/float.
CREATE TABLE flottant_route (
  route varchar PRIMARY KEY,
  solde bigint,
  demande_le timestamptz NOT NULL,
  vu_le timestamptz
);
COMMENT ON TABLE flottant_route IS 'Balance of ours that a route told; one process asks at a time: demande_le is claimed first';
