"""The same people in both databases."""
import uuid

from . import tokens
from .load import BENCH

OURS, THEIRS = "hostolink", "nestjs"
SESSION_COLUMNS = ("session (id_user, id, acces_empreinte, acces_expire_le, acces_utilise, rafraichissement_empreinte, "
                   "rafraichissement_expire_le, deverrouille_jusqu, expire_le)")


def theirs(cluster, people, secret, token_file):
    """The baseline's tables, and its transfer as one function for pgbench."""
    cluster.create(THEIRS)
    cluster.file(THEIRS, BENCH / "peers/nestjs/schema.sql")
    cluster.file(THEIRS, BENCH / "peers/nestjs/seed.sql", users=people, facilities=2000, posts=2000)
    cluster.file(THEIRS, BENCH / "load/same_function.sql")
    tokens.write(token_file, tokens.jwt(people, secret))


def ours(cluster, hostolink, people, token_file):
    """A database of the first backend, taken over; then everybody is signed in and has given the PIN."""
    cluster.create(OURS)
    cluster.file(OURS, BENCH / "sql/first_backend.sql", people=people)
    code, said = hostolink.command_of("migrate")
    if code:
        raise RuntimeError(f"hostolink migrate: {said[-800:]}")
    cluster.file(OURS, BENCH / "sql/ready_to_pay.sql")
    made = [tokens.opaque() for _ in range(people)]
    later = "2100-01-01 00:00:00+00"
    cluster.copy(OURS, SESSION_COLUMNS, (
        f"{i}\t{uuid.UUID(int=i)}\t\\\\x{kept}\t{later}\tt\t\\\\x{i:064x}\t{later}\t{later}\t{later}\n"
        for i, (_, kept) in enumerate(made, 1)))
    tokens.write(token_file, (token for token, _ in made))
    cluster.sql(OURS, "VACUUM (FULL, ANALYZE) utilisateur; VACUUM (FULL, ANALYZE) compte; VACUUM ANALYZE; CHECKPOINT")
