/** What the page says whatever the figures are. */

/** How figures are made, and what they are worth. */
export const HOW: string = `What a message costs a program: the CPU time, user and system, of its own process, on the loopback interface. That is far
steadier than how many messages there are in a second, which is given beside it. Less is better. The microseconds are those of one
machine, and the ratios say more.

- The program and the load are two processes, each held to a core of its own where the system can do that.
- Programs take turns in every round, each time in a fresh process and after a warm-up. Given are the median of the rounds, the least and the most.
- **raw** is a server on node:net that frames nothing and answers with prepared octets: what node costs before there is any WebSocket. It is a floor, and no rival.
- Either the program's core or the load's is the limit. Where the load was, and the program had to wait for it, its cost is shown and **not ranked**: it is compared with nothing.
- Every program does the same work by its own usual means. Limits are raised where a message would not fit.`

/** What the cost is of, by what grows. */
export const GROWING: Readonly<Record<string, string>> = {
  connections: 'Echoes of 32 octets on so many connections, one on each.',
  size: 'The echo of one message of so many octets.',
  fragments: 'An upload of 64 KiB in so many fragments.',
  topics: 'Messages to so many topics, one to each; one connection has subscribed to all of them.',
  subscribers: 'One message to so many connections.',
  'header octets': 'A connection opened with a request of so many octets, and closed.',
}

/** How others get figures of their own. */
export const REPEAT: string = `## Measure it yourself

Linux is needed, and two cores or more. \`npm run bench -- --help\` says what there is besides.

\`\`\`sh
npm run bench                                           # servers; packages of the others are installed into bench/node_modules
npm run bench -- --quick                                # ours, ws and raw alone, in a few minutes
npm run bench -- --only S2 --server 'mine=node mine.js' # a server of yours beside them, in one scenario
npm run bench -- --clients                              # clients, and with --client one of yours
npm run bench -- --codec                                # the parts by themselves
npm run bench -- --all --write                          # everything, and this page with its pictures
npx tsx bench/report.ts                                 # the page again, from the figures that are there
\`\`\`

A server takes part by doing what its last argument says (\`echo\`: send every message back), and by printing the \`ws://\` URL where it
listens as its first line.

The figures of this page are in [benchmarks.json](benchmarks.json).`
