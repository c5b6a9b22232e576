/** For programs that tests start: what would keep them alive. */

/** Milliseconds. */
const PATIENCE = 3000

/**
 * The names of what keeps this process alive, without its channel to the test. What Node itself has under way, to read a file
 * say, is over within some turns and does not count; what was left behind stays.
 */
export async function remaining(): Promise<string[]> {
  const until = performance.now() + PATIENCE
  while (names().length > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
  return names()
}

function names(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap' && name !== 'Pipe')
}
