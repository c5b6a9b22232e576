/** The share of a turn of the event loop that inflating at once may take, whichever connections do it. */

/** Milliseconds. */
const SHARE_OF_A_TURN = 5

/** Milliseconds of this turn that inflating at once has taken. */
let spent = 0

/** Some of it took from `began` until now. */
export function spendSince(began: number): void {
  if (spent === 0) setImmediate(beginTurn)
  spent += performance.now() - began
}

/** Whether inflating at once has had its share of this turn, and whoever has more of it to do has to wait for the next. */
export function turnIsOver(): boolean {
  return spent > SHARE_OF_A_TURN
}

function beginTurn(): void {
  spent = 0
}
