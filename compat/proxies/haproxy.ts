import type { Proxy } from './proxy.ts'

export const haproxy: Proxy = {
  name: 'HAProxy',
  path: '/usr/sbin/haproxy',
  package: 'haproxy',
  version: { args: ['-v'], pattern: /version ([\d.]+)/ },
  args: (file) => ['-db', '-f', file],
  configure: ({ certificates, backends, ports, idle }) => `
global
  maxconn 4096

defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel ${idle}s

frontend plain
  bind 127.0.0.1:${ports.plain}
  http-request set-header X-Forwarded-Proto http
  default_backend tcp

frontend ends
  bind 127.0.0.1:${ports.ends} ssl crt ${certificates.both} alpn http/1.1
  http-request set-header X-Forwarded-Proto https
  default_backend tcp

frontend through
  bind 127.0.0.1:${ports.through} ssl crt ${certificates.both} alpn http/1.1
  http-request set-header X-Forwarded-Proto https
  default_backend tls

backend tcp
  server one 127.0.0.1:${backends.plain}

backend tls
  server one 127.0.0.1:${backends.secure} ssl verify required ca-file ${certificates.ca} verifyhost localhost
`,
}
