//! A library for a machine without `std`. It builds only if the crate needs nothing beyond `alloc`.
//!
//! If a dependency brings `std` back, there are two panic handlers, and the compiler refuses the library. Build it
//! without and with the feature `signature`:
//!
//! ```text
//! cargo build --locked --manifest-path tests/no_std/Cargo.toml
//! cargo build --locked --manifest-path tests/no_std/Cargo.toml --features signature
//! ```

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicUsize, Ordering};

use twt_chat_webhooks::Payload;

/// Decodes the body and encodes it again. Returns the length of the result, or 0 if the body cannot be decoded or the
/// result is longer than `capacity`.
///
/// # Safety
///
/// `body` points to `length` bytes, and `written` to room for `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relay(body: *const u8, length: usize, written: *mut u8, capacity: usize) -> usize {
    // SAFETY: the caller keeps the promise above.
    let (body, room) = unsafe { (slice::from_raw_parts(body, length), slice::from_raw_parts_mut(written, capacity)) };
    Payload::from_slice(body).map_or(0, |payload| copy(payload.to_vec(), room))
}

/// Verifies the body, decodes it and encodes it again. Returns the same as [`relay`].
///
/// # Safety
///
/// The same as for [`relay`]. Also, `signature` points to 64 bytes.
#[cfg(feature = "signature")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn relay_signed(
    body: *const u8,
    length: usize,
    signature: *const u8,
    written: *mut u8,
    capacity: usize,
) -> usize {
    use twt_chat_webhooks::{AppSecret, Verifier};

    // SAFETY: the caller keeps the promise above.
    let (body, signature, room) = unsafe {
        (
            slice::from_raw_parts(body, length),
            slice::from_raw_parts(signature, 64),
            slice::from_raw_parts_mut(written, capacity),
        )
    };
    let Ok(secret) = AppSecret::new("the AppSecret of the account") else { return 0 };
    let payload = Verifier::new(secret).decode(body, Some(signature));
    payload.map_or(0, |payload| copy(payload.to_vec(), room))
}

fn copy(text: Vec<u8>, room: &mut [u8]) -> usize {
    match room.get_mut(..text.len()) {
        Some(room) => {
            room.copy_from_slice(&text);
            text.len()
        }
        None => 0,
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// A bump allocator: it never uses memory twice.
struct Bump {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

const SIZE: usize = 1 << 20;

// SAFETY: `used` only grows, so no byte is handed out twice.
unsafe impl Sync for Bump {}

// SAFETY: each block is aligned, and lies within the memory and behind all earlier blocks.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.memory.get().cast::<u8>();
        let block = |used: usize| {
            let begin = (start as usize + used).checked_next_multiple_of(layout.align())? - start as usize;
            let end = begin.checked_add(layout.size())?;
            (end <= SIZE).then_some((begin, end))
        };
        let used = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(block(used)?.1));
        match used.ok().and_then(block) {
            // SAFETY: `begin` is within the memory.
            Some((begin, _)) => unsafe { start.add(begin) },
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Bump = Bump { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };
