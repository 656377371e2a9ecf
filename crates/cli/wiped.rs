//! Overwrites memory when it is freed, while a PIN is shared or put together.
//!
//! What is ours overwrites itself. But libraries that share a PIN and draw a share as a QR code,
//! and the standard library's texts, free copies of their own: so the allocator does it, for as
//! long as a [`Wiped`] exists.
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering, compiler_fence};

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

/// How many [`Wiped`] there are.
static GUARDS: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which may overwrite what it takes back.
struct Wiping;

/// While one exists, memory is overwritten when it is freed.
#[must_use]
pub(crate) struct Wiped;

impl Wiped {
    pub(crate) fn begin() -> Self {
        GUARDS.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        GUARDS.fetch_sub(1, Ordering::SeqCst);
    }
}

fn is_wiping() -> bool {
    GUARDS.load(Ordering::Relaxed) > 0
}

// SAFETY: every call is passed on to the system's allocator; what is overwritten is memory that the
// caller has given back and that nobody else has yet.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the same promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if is_wiping() {
            for place in 0..layout.size() {
                // SAFETY: the block has this size, and is the allocator's again. Volatile, because
                // nobody reads it any more.
                unsafe { memory.add(place).write_volatile(0) };
            }
            compiler_fence(Ordering::SeqCst);
        }
        // SAFETY: the caller keeps the same promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_wiping() {
            // SAFETY: the caller keeps the same promises.
            return unsafe { System.realloc(memory, layout, size) };
        }
        // The system may move a block, and then does not overwrite the old one.
        // SAFETY: the caller promises that the size is that of a layout with this alignment.
        let grown = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the size is not 0, as the caller promises.
        let moved = unsafe { self.alloc(grown) };
        if !moved.is_null() {
            // SAFETY: both blocks have this size at least, and are not the same.
            unsafe { memory.copy_to_nonoverlapping(moved, layout.size().min(size)) };
            // SAFETY: the old block is the caller's, who does not use it any more.
            unsafe { self.dealloc(memory, layout) };
        }
        moved
    }
}
