/**
 * An example for each page of the reference, by the page's name: whole files that pass
 * `config check` (a test holds that), so that one can begin with them. They stand here and not in
 * the schemas because every role loads those.
 */
export const pageExamples: Readonly<Record<string, string>> = {
  agent: `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  producer: { compression: lz4, acks: all, linger: 20ms, batch_size: 1MiB, memory: 32MiB }
  sources:
    app: { type: file, include: [/var/log/app/*.log*], topic: app-logs }
    post: { type: maildrop, directory: /var/spool/maildump, after: delete, topic: mail }
`,
  broker: `
data_dir: /var/lib/logflume
broker:
  listeners:
    - { listen: "0.0.0.0:9092", advertise: "logs.internal:9092" }
  properties: # Kafka's names and units
    num.partitions: 3
    log.retention.hours: 168
  topics:
    app-logs: { partitions: 6, properties: { retention.ms: 259200000 } }
    mail: { properties: { flush.messages: 1 } } # synced before each acknowledgement
`,
  demo: `
broker: {}
agent:
  sources:
    app: { type: file, include: [./data/demo/logs/*.log*], topic: app-logs }
sinks:
  archive: { type: archive, topics: [app-logs], store: { type: local, root: ./archive } }
demo:
  logs: { directory: ./data/demo/logs, lines_per_second: 500, rotate_every: 5s, sink: archive }
`,
  kafka: `
kafka: { bootstrap: [kafka-1:9092, kafka-2:9092, kafka-3:9092], client_id: web-7 }
agent:
  sources:
    app: { type: file, include: [/var/log/app/*.log*], topic: app-logs }
`,
  telemetry: `
telemetry: { listen: "127.0.0.1:9400" } # with \`up\`: broker 9400, agent 9401, sinks 9402
broker: {}
`,
  sinks: `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  archive: { type: archive, topics: [app-logs], store: { type: local, root: /srv/archive } }
  notify: { type: http, topics: [mail], url: "https://hooks.internal/mail" }
`,
  'source-file': `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  sources:
    app:
      type: file
      include: [/var/log/app/*.log*, "/srv/*/logs/{access,error}.log*"] # rotated ones too
      exclude: [/var/log/app/debug.log*]
      topic: app-logs
      interceptors: [{ type: host }]
`,
  'source-maildrop': `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  sources:
    post:
      type: maildrop
      directory: /var/spool/maildump # write elsewhere and rename into it, or within \`settle\`
      after: move
      move_to: /var/spool/maildump-sent
      topic: mail
`,
  'sink-archive': `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  archive:
    type: archive
    topics: [app-logs]
    store: { type: local, root: /srv/archive }
    format: lines
    file_per: key
    compression: zstd
    rotate: { size: 128MiB, age: 10m, first: 5s, idle: 30s }
  letters:
    type: archive
    topics: [mail]
    store: { type: local, root: /srv/letters }
    format: eml
`,
  'store-local': `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  archive:
    type: archive
    topics: [app-logs]
    store: { type: local, root: /srv/archive }
`,
  'sink-http': `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  notify:
    type: http
    topics: [mail]
    url: "https://hooks.internal/mail"
    headers: { Authorization: "Bearer \${TOKEN:-none}" }
    batch: { records: 500, bytes: 1MiB, linger: 1s }
    dead_letter: mail-refused
`,
  ...Object.fromEntries(
    Object.entries({
      counter: '{ type: counter, name: app }',
      host: '{ type: host, header: host }',
      static: '{ type: static, headers: { env: prod, region: eu } }',
      timestamp: '{ type: timestamp, separator: " " }',
      regex_extract: '{ type: regex_extract, pattern: "^(?<level>[A-Z]+) " }',
      regex_filter: '{ type: regex_filter, exclude: "^DEBUG " }',
      search_replace:
        '{ type: search_replace, search: "password=\\\\S+", replace: "password=***" }',
    }).map(([name, one]) => [`interceptor-${name}`, interceptor(one)]),
  ),
};

function interceptor(one: string): string {
  return `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  sources:
    app:
      type: file
      include: [/var/log/app/*.log*]
      topic: app-logs
      interceptors:
        - ${one}
`;
}
