import kafkajs, { type AclEntry, type ITopicConfig, Kafka, logLevel } from "kafkajs";

// To an ES module kafkajs exports these names by its default only.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

export interface KafkaRights {
  readonly topics: readonly ITopicConfig[];
  readonly acl: readonly AclEntry[];
}

/**
 * What the commands of a guide give: those of `acl`, its short name for `kafka-acls.sh --add`, and the loop around
 * `kafka-topics.sh --create`. Throws at an option that it does not know, so that none is passed over.
 */
export function readKafkaRights(guide: string): KafkaRights {
  const acl = [...guide.matchAll(/^acl (.+)$/gm)].flatMap(([, options = ""]) => entriesOf(options));
  const [, names = "", command = ""] =
    /^for topic in (.+); do\n {2}kafka-topics\.sh ([^]+?)\ndone$/m.exec(guide) ?? [];
  const numPartitions = Number(/--partitions (\d+)/.exec(command)?.[1]);
  const configEntries = [...command.matchAll(/--config ([\w.]+)=(\w+)/g)].map(
    ([, name = "", value = ""]) => ({
      name,
      value,
    }),
  );
  return { acl, topics: names.split(" ").map((topic) => ({ topic, numPartitions, configEntries })) };
}

/** As somebody who may do everything. */
export async function giveKafkaRights(broker: string, { topics, acl }: KafkaRights): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics: [...topics] });
    await admin.createAcls({ acl: [...acl] });
  } finally {
    await admin.disconnect();
  }
}

const resourceOptions = {
  "--topic": AclResourceTypes.TOPIC,
  "--group": AclResourceTypes.GROUP,
} as const;

const operations = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Delete: AclOperationTypes.DELETE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
} as const;

function entriesOf(text: string): AclEntry[] {
  const options = text.split(/ (?=--)/).map((option) => option.split(" "));
  let [principal, resourceName, resourceType] = ["", "", AclResourceTypes.UNKNOWN];
  let resourcePatternType = ResourcePatternTypes.LITERAL;
  const allowed: (keyof typeof operations)[] = [];
  for (const [name = "", value = ""] of options) {
    if (name === "--allow-principal") principal = value;
    else if (name === "--operation" && isOneOf(operations, value)) allowed.push(value);
    else if (name === "--resource-pattern-type" && value === "prefixed") {
      resourcePatternType = ResourcePatternTypes.PREFIXED;
    } else if (isOneOf(resourceOptions, name)) {
      resourceType = resourceOptions[name];
      resourceName = value;
    } else throw new TypeError(`the guide has ${name} ${value}, which is not known here`);
  }
  const shared = { principal, host: "*", permissionType: AclPermissionTypes.ALLOW };
  return allowed.map((one) => ({
    ...shared,
    operation: operations[one],
    resourceType,
    resourceName,
    resourcePatternType,
  }));
}

function isOneOf<T extends object>(table: T, name: PropertyKey): name is keyof T {
  return Object.hasOwn(table, name);
}
