// Node-RED as its users would set it up for this: a function that checks the signature and sends with kafkajs.
const { join } = require('node:path');
const { Kafka, logLevel } = require('kafkajs');

/** What the measurement gives: port, secret, signed address, brokers and topic. */
module.exports = ({ port, secret, signedUrl, brokers, topic }) => ({
  uiHost: '127.0.0.1',
  uiPort: port,
  httpAdminRoot: false,
  flowFile: join(__dirname, 'flow.json'),
  credentialSecret: false,
  logging: { console: { level: 'error' } },
  functionGlobalContext: {
    crypto: require('node:crypto'),
    secret,
    signedUrl,
    topic,
    producer: new Kafka({
      brokers,
      clientId: 'node-red',
      logLevel: logLevel.ERROR,
    }).producer(),
  },
});
