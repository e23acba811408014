//! A decoder written by hand for the UNREPLIED body only. It shows how fast a decoder can be.
//!
//! It makes the same owned values as the crate, and accepts the documented keys in any order. It refuses any other
//! event, an unknown, repeated or missing key, `null`, and a number that is not a plain integer. Its error says what
//! was expected and at which byte. It does not report the path of a fault, and it keeps no unknown data.

use std::str;

/// An UNREPLIED body.
pub struct UnrepliedBody {
    pub created_at: i64,
    pub webhook_id: String,
    pub content: Vec<Item>,
}

/// An item of the body. An optional text is `None` where the platform writes `""`.
#[derive(Default)]
pub struct Item {
    pub subject: String,
    pub visitor_name: String,
    pub created_at: i64,
    pub message_content: String,
    pub property_name: String,
    pub visitor_nickname: Option<String>,
    pub sbs: Option<String>,
    pub status: Status,
    pub push_times: u32,
    pub time_sec: u64,
    pub assigned_agent_nickname: Option<String>,
}

#[derive(Default)]
pub enum Status {
    #[default]
    Unreplied,
    Queued,
    Pending,
    Replied,
}

impl Status {
    /// The status as the platform writes it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unreplied => "1",
            Self::Queued => "2",
            Self::Pending => "3",
            Self::Replied => "4",
        }
    }
}

/// The error for a body that cannot be decoded.
#[derive(Debug)]
pub struct Malformed {
    /// The number of bytes that were read before the fault was found.
    pub position: usize,
    pub expected: &'static str,
}

type Result<T> = std::result::Result<T, Malformed>;

/// Decodes a body.
pub fn decode(body: &[u8]) -> Result<UnrepliedBody> {
    // UTF-8 is checked once for the whole body, so the texts need no check.
    let Ok(text) = str::from_utf8(body) else {
        return Err(Malformed { position: 0, expected: "UTF-8" });
    };
    let mut reader = Reader { text, position: 0 };
    let payload = reader.payload()?;
    match reader.peek() {
        None => Ok(payload),
        Some(_) => reader.fail("the end of the body"),
    }
}

/// The set of the fields that have been read. Each documented field has a bit.
struct FieldSet {
    read: u16,
    all: u16,
}

impl FieldSet {
    fn of(count: u32) -> Self {
        Self { read: 0, all: (1 << count) - 1 }
    }

    fn none(&self) -> bool {
        self.read == 0
    }

    /// Marks the field as read, and returns whether it was not marked before.
    fn insert(&mut self, place: u32) -> bool {
        let before = self.read;
        self.read |= 1 << place;
        self.read != before
    }

    fn all(&self) -> bool {
        self.read == self.all
    }
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn payload(&mut self) -> Result<UnrepliedBody> {
        let mut payload = UnrepliedBody { created_at: 0, webhook_id: String::new(), content: Vec::new() };
        let mut fields = FieldSet::of(4);
        self.expect(b'{', "an object")?;
        while let Some(key) = self.key(fields.none())? {
            let place = match key {
                "created_at" => {
                    payload.created_at = self.seconds()?;
                    0
                }
                "event" => {
                    self.event()?;
                    1
                }
                "webhook_id" => {
                    payload.webhook_id = self.owned()?;
                    2
                }
                "content" => {
                    payload.content = self.items()?;
                    3
                }
                _ => return self.fail("a documented key"),
            };
            if !fields.insert(place) {
                return self.fail("each key once");
            }
        }
        if fields.all() { Ok(payload) } else { self.fail("all documented keys") }
    }

    fn items(&mut self) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        self.expect(b'[', "an array")?;
        if self.peek() == Some(b']') {
            self.position += 1;
            return Ok(items);
        }
        // Nearly every body has one item.
        items.reserve_exact(1);
        loop {
            items.push(Item::default());
            if let Some(item) = items.last_mut() {
                self.item(item)?;
            }
            match self.peek() {
                Some(b',') => self.position += 1,
                Some(b']') => break,
                _ => return self.fail("a comma or the end of the array"),
            }
        }
        self.position += 1;
        Ok(items)
    }

    /// Fills in an item.
    fn item(&mut self, item: &mut Item) -> Result<()> {
        let mut fields = FieldSet::of(11);
        self.expect(b'{', "an object")?;
        while let Some(key) = self.key(fields.none())? {
            let place = match key {
                "subject" => {
                    item.subject = self.owned()?;
                    0
                }
                "visitor_name" => {
                    item.visitor_name = self.owned()?;
                    1
                }
                "created_at" => {
                    item.created_at = self.seconds()?;
                    2
                }
                "message_content" => {
                    item.message_content = self.owned()?;
                    3
                }
                "property_name" => {
                    item.property_name = self.owned()?;
                    4
                }
                "visitor_nickname" => {
                    item.visitor_nickname = self.optional()?;
                    5
                }
                "sbs" => {
                    item.sbs = self.optional()?;
                    6
                }
                "status" => {
                    item.status = self.status()?;
                    7
                }
                "push_times" => {
                    item.push_times = self.push_times()?;
                    8
                }
                "time_sec" => {
                    item.time_sec = self.unsigned()?;
                    9
                }
                "assigned_agent_nickname" => {
                    item.assigned_agent_nickname = self.optional()?;
                    10
                }
                _ => return self.fail("a documented key"),
            };
            if !fields.insert(place) {
                return self.fail("each key once");
            }
        }
        if fields.all() { Ok(()) } else { self.fail("all documented keys") }
    }

    /// Reads the next key and its colon, and returns the key. Returns `None` at the end of the object.
    #[inline]
    fn key(&mut self, first: bool) -> Result<Option<&'a str>> {
        match self.peek() {
            Some(b'}') => {
                self.position += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.position += 1,
            _ if first => {}
            _ => return self.fail("a comma or the end of the object"),
        }
        // A documented key has no character that JSON must escape, so a key with an escape is refused.
        let Some(key) = self.plain()? else { return self.fail("a key without escapes") };
        self.expect(b':', "a colon")?;
        Ok(Some(key))
    }

    fn event(&mut self) -> Result<()> {
        match self.plain()? {
            Some("UNREPLIED") => Ok(()),
            _ => self.fail("the event UNREPLIED"),
        }
    }

    fn status(&mut self) -> Result<Status> {
        match self.plain()? {
            Some("1") => Ok(Status::Unreplied),
            Some("2") => Ok(Status::Queued),
            Some("3") => Ok(Status::Pending),
            Some("4") => Ok(Status::Replied),
            _ => self.fail("a documented status"),
        }
    }

    fn optional(&mut self) -> Result<Option<String>> {
        match self.plain()? {
            Some("") => Ok(None),
            Some(text) => Ok(Some(text.to_owned())),
            None => self.escaped().map(Some),
        }
    }

    fn owned(&mut self) -> Result<String> {
        match self.plain()? {
            Some(text) => Ok(text.to_owned()),
            None => self.escaped(),
        }
    }

    /// The next text, or `None` if the text has an escape. The position is then behind the opening quote.
    #[inline]
    fn plain(&mut self) -> Result<Option<&'a str>> {
        self.expect(b'"', "a string")?;
        let rest = &self.text[self.position..];
        let length = plain_length(rest.as_bytes());
        match rest.as_bytes().get(length) {
            Some(b'"') => {
                self.position += length + 1;
                Ok(Some(&rest[..length]))
            }
            Some(b'\\') => Ok(None),
            _ => self.fail("a string without control characters, and its end"),
        }
    }

    /// The text whose opening quote was just read. `serde_json` decodes its escapes.
    #[cold]
    fn escaped(&mut self) -> Result<String> {
        let literal = &self.text[self.position - 1..];
        let mut texts = serde_json::Deserializer::from_str(literal).into_iter::<String>();
        let Some(Ok(text)) = texts.next() else { return self.fail("a string") };
        self.position += texts.byte_offset() - 1;
        Ok(text)
    }

    fn seconds(&mut self) -> Result<i64> {
        let negative = self.peek() == Some(b'-');
        if negative {
            self.position += 1;
        }
        match i64::try_from(self.digits()?) {
            Ok(number) => Ok(if negative { -number } else { number }),
            Err(_) => self.fail("Unix seconds"),
        }
    }

    fn push_times(&mut self) -> Result<u32> {
        match self.unsigned()?.try_into() {
            Ok(number) => Ok(number),
            Err(_) => self.fail("an integer of 32 bits"),
        }
    }

    fn unsigned(&mut self) -> Result<u64> {
        self.peek();
        self.digits()
    }

    /// An integer in plain decimal digits.
    #[inline]
    fn digits(&mut self) -> Result<u64> {
        /// Every number of this many digits fits a `u64`.
        const MAX_DIGITS: usize = 19;
        let bytes = self.text.as_bytes();
        let start = self.position;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = bytes.get(self.position) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.position += 1;
        }
        let length = self.position - start;
        let padded = length > 1 && bytes[start] == b'0';
        let more = matches!(bytes.get(self.position), Some(b'.' | b'e' | b'E'));
        if length == 0 || length > MAX_DIGITS || padded || more {
            return self.fail("an integer");
        }
        Ok(number)
    }

    #[inline]
    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<()> {
        if self.peek() != Some(byte) {
            return self.fail(expected);
        }
        self.position += 1;
        Ok(())
    }

    /// Skips white space, and returns the next byte.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.position) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.position += 1,
                byte => return byte.copied(),
            }
        }
    }

    #[cold]
    fn fail<T>(&self, expected: &'static str) -> Result<T> {
        Err(Malformed { position: self.position, expected })
    }
}

/// The number of bytes before the first quote, backslash or control character. Reads eight bytes at a time (SWAR).
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        // The subtraction sets the high bit of each byte that is smaller than the subtracted byte. `!chunk` removes the
        // bytes that are not ASCII. A borrow can set more bits, but only behind the first byte that is found.
        let chunk = u64::from_le_bytes(*chunk);
        let control = chunk.wrapping_sub(each(0x20));
        let quote = (chunk ^ each(b'"')).wrapping_sub(each(1));
        let backslash = (chunk ^ each(b'\\')).wrapping_sub(each(1));
        let found = (control | quote | backslash) & !chunk & each(0x80);
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = tail;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    bytes.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}
