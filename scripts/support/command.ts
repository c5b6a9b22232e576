/**
 * Runs a command to its end, within a time limit, and leaves nothing of it behind: the command leads a process group of its own,
 * and when the limit passes, or this process is interrupted, the whole group is killed. A command that cannot be started
 * is a result like any other: `code` is 127 and the output says why.
 */
import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** `true` shows the output as it comes, instead of returning it. */
  readonly live?: boolean
  /** Milliseconds after which the command is killed; ten minutes when not given. */
  readonly timeout?: number
}

export interface CommandResult {
  /** The exit code; 127 when the command could not be started, 124 when it took too long, 128 when a signal ended it. */
  readonly code: number
  /** stdout and stderr as they came; empty when `live`. */
  readonly output: string
}

export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd = process.cwd(), env = {}, live = false, timeout = 600_000 } = options
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    })
    let output = ''
    let late = false
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
    const interrupted = (signal: NodeJS.Signals) => {
      killGroup(child.pid)
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
    const deadline = setTimeout(() => {
      late = true
      killGroup(child.pid)
    }, timeout)
    const finish = (code: number) => {
      clearTimeout(deadline)
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
      resolve({ code, output: late ? `${output}\n${command} did not end within ${timeout} ms` : output })
    }
    child.once('error', (error) => {
      output += error.message
      finish(127)
    })
    child.once('close', (code) => finish(late ? 124 : (code ?? 128)))
  })
}

/** Kills every process of a group that may have ended already. */
export function killGroup(leader: number | undefined): void {
  if (leader === undefined) return
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // ESRCH: none is left, which is what was wanted.
  }
}
