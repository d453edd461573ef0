/**
 * An example for each section's page of the reference, by the section's name: whole files that
 * pass `config check` (a test holds that), so that one can begin with them. They stand here
 * because every role loads the schemas; a component brings its own (`Component.example`).
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
};
