-- The baseline's transfer (peers/nestjs/schema.sql: same tables, same work, same checks) as one call of one function.
CREATE OR REPLACE FUNCTION transfert(p_user int, p_cle text, p_empreinte text, p_to text, p_montant bigint,
                                     OUT code int, OUT id bigint, OUT solde_apres bigint) LANGUAGE plpgsql AS $$
DECLARE v_to int; v_src int; v_dst int; v_ssrc bigint; v_sdst bigint; r record;
BEGIN
  SELECT u.id_user INTO v_to FROM utilisateur u WHERE u.telephone = p_to;
  IF NOT FOUND THEN code := 404; RETURN; END IF;
  IF v_to = p_user THEN code := 400; RETURN; END IF;
  INSERT INTO idempotence (id_user, cle, empreinte) VALUES (p_user, p_cle, p_empreinte) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT i.empreinte, i.reponse INTO r FROM idempotence i WHERE i.id_user = p_user AND i.cle = p_cle;
    IF r.empreinte <> p_empreinte THEN code := 409; RETURN; END IF;
    code := 200; id := (r.reponse->>'id')::bigint; solde_apres := (r.reponse->>'balance')::bigint; RETURN;
  END IF;
  FOR r IN SELECT c.id_compte, c.id_user, c.solde FROM compte c WHERE c.id_user IN (p_user, v_to) ORDER BY c.id_compte FOR UPDATE LOOP
    IF r.id_user = p_user THEN v_src := r.id_compte; v_ssrc := r.solde; ELSE v_dst := r.id_compte; v_sdst := r.solde; END IF;
  END LOOP;
  IF v_ssrc < p_montant THEN
    DELETE FROM idempotence i WHERE i.id_user = p_user AND i.cle = p_cle;   -- a refused transfer may be tried again
    code := 422; RETURN;
  END IF;
  INSERT INTO transaction (compte_source, compte_destination, montant) VALUES (v_src, v_dst, p_montant) RETURNING id_transaction INTO id;
  INSERT INTO ecriture (id_transaction, id_compte, montant, solde_apres)
    VALUES (id, v_src, -p_montant, v_ssrc - p_montant), (id, v_dst, p_montant, v_sdst + p_montant);
  UPDATE compte c SET solde = c.solde - p_montant WHERE c.id_compte = v_src;
  UPDATE compte c SET solde = c.solde + p_montant WHERE c.id_compte = v_dst;
  code := 201; solde_apres := v_ssrc - p_montant;
  UPDATE idempotence i SET reponse = jsonb_build_object('id', id, 'balance', solde_apres) WHERE i.id_user = p_user AND i.cle = p_cle;
END $$;
