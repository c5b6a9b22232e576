import type { Proxy, Setting } from './proxy.ts'

export const nginx: Proxy = {
  name: 'nginx',
  path: '/usr/sbin/nginx',
  package: 'nginx-light',
  version: { args: ['-v'], pattern: /nginx\/([\d.]+)/ },
  args: (file) => ['-c', file, '-e', 'stderr'],
  configure: (setting) => {
    const { folder, certificates, backends, ports } = setting
    const tls = `ssl_certificate ${certificates.cert}; ssl_certificate_key ${certificates.key};`
    const verified = `proxy_ssl_trusted_certificate ${certificates.ca}; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_server_name on;`
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
${temporary.map((what) => `  ${what}_temp_path ${folder}/${what};`).join('\n')}

  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' close;
  }

  server {
    listen 127.0.0.1:${ports.plain};
    ${location(setting, `http://127.0.0.1:${backends.plain}`)}
  }
  server {
    listen 127.0.0.1:${ports.ends} ssl;
    ${tls}
    ${location(setting, `http://127.0.0.1:${backends.plain}`)}
  }
  server {
    listen 127.0.0.1:${ports.through} ssl;
    ${tls}
    ${verified}
    ${location(setting, `https://127.0.0.1:${backends.secure}`)}
  }
}
`
  },
}

function location({ idle }: Setting, backend: string): string {
  return `location / {
      proxy_pass ${backend};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout ${idle}s;
    }`
}
