use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kernel::{Failure, Random};
use subtle::ConstantTimeEq;

const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// Hashes that came from elsewhere may ask for no more than this: 64 MiB, ten passes, eight lanes.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 8;
const MAX_HASH_BYTES: usize = 64;
/// bcrypt doubles its work with each step; 14 is about one second.
const MAX_BCRYPT_COST: u32 = 14;

/// What came of comparing a password with what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is the one.
    pub(crate) right: bool,
    /// It is kept in an older way: hash it again now that it is at hand.
    pub(crate) outdated: bool,
}

impl Verdict {
    const WRONG: Verdict = Verdict { right: false, outdated: false };
}

/// The place of one hashing thread: its memory, used again and again, since fresh blocks of 19 MiB would pile up.
pub(super) struct Bench {
    blocks: Vec<Block>,
    random: Random,
    dummy: Option<String>,
}

impl Bench {
    pub(super) fn new(random: Random) -> Self {
        Self { blocks: Vec::new(), random, dummy: None }
    }

    /// A PHC string: argon2id, 19 MiB, 2 passes, 1 lane, a salt of its own.
    pub(super) fn hash(&mut self, secret: &[u8]) -> Result<String, Failure> {
        let params = ours()?;
        let salt: [u8; SALT_BYTES] = self.random.bytes();
        let mut out = [0; HASH_BYTES];
        let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
        self.fill(Argon2::new(Algorithm::Argon2id, Version::V0x13, params), secret, &salt, &mut out)?;
        let (salt, out) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(out));
        Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${out}"))
    }

    /// Compares. Without anything stored the same work is done for nothing, so that time tells nothing.
    pub(super) fn verify(&mut self, secret: &[u8], stored: Option<&str>) -> Result<Verdict, Failure> {
        match stored {
            Some(stored) if stored.starts_with("$argon2") => self.verify_argon2(secret, stored),
            Some(stored) if stored.starts_with("$2") => Ok(verify_bcrypt(secret, stored)),
            _ => {
                let dummy = self.dummy()?;
                self.verify_argon2(secret, &dummy)?;
                Ok(Verdict::WRONG)
            }
        }
    }

    fn verify_argon2(&mut self, secret: &[u8], stored: &str) -> Result<Verdict, Failure> {
        let Some((argon2, salt, expected)) = parts(stored) else { return Ok(Verdict::WRONG) };
        let outdated = !stored.starts_with("$argon2id$v=19$") || differs(argon2.params(), &ours()?);
        let mut out = vec![0; expected.len()];
        self.fill(argon2, secret, &salt, &mut out)?;
        Ok(Verdict { right: out.ct_eq(&expected).into(), outdated })
    }

    fn fill(&mut self, argon2: Argon2<'_>, secret: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), Failure> {
        let (needed, usual) = (argon2.params().block_count(), ours()?.block_count());
        let done = if needed <= usual {
            self.blocks.resize(usual, Block::default());
            argon2.hash_password_into_with_memory(secret, salt, out, self.blocks.get_mut(..needed).unwrap_or_default())
        } else {
            argon2.hash_password_into(secret, salt, out)
        };
        done.map_err(Failure::internal)
    }

    /// The hash that unknown accounts are compared with; made once a thread.
    fn dummy(&mut self) -> Result<String, Failure> {
        if let Some(dummy) = &self.dummy {
            return Ok(dummy.clone());
        }
        let nobody: [u8; SALT_BYTES] = self.random.bytes();
        let dummy = self.hash(&nobody)?;
        self.dummy = Some(dummy.clone());
        Ok(dummy)
    }
}

/// OWASP's minimum of memory, the cheapest in time of its equals.
fn ours() -> Result<Params, Failure> {
    Params::new(19 * 1024, 2, 1, Some(HASH_BYTES)).map_err(Failure::internal)
}

fn differs(theirs: &Params, ours: &Params) -> bool {
    (theirs.m_cost(), theirs.t_cost(), theirs.p_cost()) != (ours.m_cost(), ours.t_cost(), ours.p_cost())
}

/// `None` when it is not readable, or asks for more work than we are ready to do for it.
fn parts(stored: &str) -> Option<(Argon2<'static>, Vec<u8>, Vec<u8>)> {
    let hash = PasswordHash::new(stored).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let expected = hash.hash?;
    let bounded = params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() <= MAX_LANES
        && expected.as_bytes().len() <= MAX_HASH_BYTES;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map_or(Some(Version::V0x10), |version| Version::try_from(version).ok())?;
    bounded.then(|| {
        (
            Argon2::new(algorithm, version, params),
            hash.salt.map(|salt| salt.to_vec()).unwrap_or_default(),
            expected.as_bytes().to_vec(),
        )
    })
}

/// bcrypt of the first backend, which read no more than 72 bytes; right or wrong, it is replaced at the next chance.
fn verify_bcrypt(secret: &[u8], stored: &str) -> Verdict {
    let cost = stored.split('$').nth(2).and_then(|cost| cost.parse().ok()).unwrap_or(u32::MAX);
    let right = cost <= MAX_BCRYPT_COST && bcrypt::verify(secret, stored).unwrap_or(false);
    Verdict { right, outdated: true }
}

/// Whether `verify` could ever say yes to it.
pub(super) fn is_readable(stored: &str) -> bool {
    let bcrypt = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| stored.starts_with(prefix)) && stored.len() == 60;
    bcrypt || (stored.starts_with("$argon2") && parts(stored).is_some())
}
