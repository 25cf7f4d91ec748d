// kafkajs: kafkajs_client.js HOST:PORT group|transaction|admin. Ends with 0 if all came back as it was sent.
const assert = require('node:assert');
const {Kafka, CompressionTypes, logLevel} = require('kafkajs');

const [address, part] = process.argv.slice(2);
const kafka = new Kafka({clientId: 'compat', brokers: [address], logLevel: logLevel.ERROR});
const RECORDS = 300;

// Reads `count` records of a topic with a group; what it committed is left behind.
async function consume(topic, groupId, count) {
  const consumer = kafka.consumer({groupId, maxWaitTimeInMs: 500});
  await consumer.connect();
  await consumer.subscribe({topics: [topic], fromBeginning: true});
  const read = [];
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${read.length} of ${count} read`)), 40000);
    consumer.run({
      eachMessage: async ({message}) => {
        read.push(message.value.toString());
        if (read.length === count) {
          clearTimeout(late);
          resolve();
        }
      },
    });
  });
  await consumer.disconnect();
  return read;
}

async function group() {
  const producer = kafka.producer({idempotent: true});
  await producer.connect();
  for (const [name, compression] of [['none', CompressionTypes.None], ['gzip', CompressionTypes.GZIP]]) {
    const messages = Array.from({length: RECORDS}, (_, n) => ({key: `k${n}`, value: `v${n}`}));
    await producer.send({topic: `j-${name}`, messages, compression, acks: -1});
    const read = await consume(`j-${name}`, `g-${name}`, RECORDS);
    assert.deepStrictEqual(read.sort(), messages.map(one => one.value).sort());
  }
  await producer.disconnect();
}

async function transaction() {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({topics: [{topic: 't', numPartitions: 1}], waitForLeaders: true});
  await admin.disconnect();
  const producer = kafka.producer({transactionalId: 'writer', maxInFlightRequests: 1, idempotent: true});
  await producer.connect();
  for (let number = 0; number < 4; number++) {
    const open = await producer.transaction();
    await open.send({topic: 't', messages: [{value: `round ${number}`, partition: 0}]});
    await (number % 2 ? open.abort() : open.commit());
  }
  await producer.disconnect();
  assert.deepStrictEqual(await consume('t', 'committed', 2), ['round 0', 'round 2']);
}

async function admin() {
  const client = kafka.admin();
  await client.connect();
  await client.createTopics({topics: [{topic: 'a', numPartitions: 2}], waitForLeaders: true});
  await client.createPartitions({topicPartitions: [{topic: 'a', count: 3}]});
  assert.strictEqual((await client.fetchTopicMetadata({topics: ['a']})).topics[0].partitions.length, 3);
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({topic: 'a', messages: Array.from({length: 9}, (_, n) => ({value: `v${n}`, partition: 0}))});
  await producer.disconnect();
  assert.strictEqual((await client.fetchTopicOffsets('a')).find(at => at.partition === 0).high, '9');
  await consume('a', 'admins', 9);
  assert((await client.listGroups()).groups.some(found => found.groupId === 'admins'));
  await client.describeGroups(['admins']);
  await client.fetchOffsets({groupId: 'admins', topics: ['a']});
  await client.deleteTopicRecords({topic: 'a', partitions: [{partition: 0, offset: '4'}]});
  await client.describeConfigs({resources: [{type: 2, name: 'a'}]});
  await client.alterConfigs({resources: [{type: 2, name: 'a', configEntries: [{name: 'retention.ms', value: '1000000'}]}]});
  await client.deleteGroups(['admins']);
  await client.deleteTopics({topics: ['a']});
  await client.disconnect();
}

({group, transaction, admin})[part]().then(() => process.exit(0), error => {
  console.error(`Error: ${error.stack}`);
  process.exit(1);
});
