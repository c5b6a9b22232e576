/**
 * Memory for messages that are handed on.
 *
 * A page of memory that is touched for the first time costs a page fault, which is dear on many machines: of a message of
 * 1 MiB, faults can take nine tenths of the time. So memory that messages have given back should serve the next ones. The
 * allocator of glibc gives large blocks back to the system when they are freed, and the end of its heap, too, until it has
 * learned that such sizes come and go: it keeps what is smaller than the largest block that was ever freed, up to 32 MiB.
 * One block of that size, never touched and dropped at once, teaches it so; elsewhere it is merely of no use.
 */

/**
 * Octets from which on it pays. glibc takes blocks from the system one by one from 128 KiB on (M_MMAP_THRESHOLD), but the
 * end of its heap it gives back as soon as so much of it is free (M_TRIM_THRESHOLD), which a few smaller blocks are.
 */
const LARGE = 16_384
/** As large as a block may be that it learns from (DEFAULT_MMAP_THRESHOLD_MAX), with what it adds to it. */
const LARGEST_LESSON = 33_554_432 - 8192

let taught = false

/** `size` octets, not cleared, in memory of their own. */
export function allocate(size: number): Buffer {
  if (size >= LARGE && !taught) teach()
  return Buffer.allocUnsafeSlow(size)
}

/** `size` octets, not cleared; when they are few, they share memory with others. */
export function allocateShared(size: number): Buffer {
  if (size >= LARGE && !taught) teach()
  return Buffer.allocUnsafe(size)
}

function teach(): void {
  taught = true
  Buffer.allocUnsafeSlow(LARGEST_LESSON)
}
