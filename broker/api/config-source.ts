/** Where a value comes from, as DescribeConfigs numbers it. */
export const configSource = { topic: 1, broker: 4, default: 5 } as const;

/** What a resource is, as the config APIs number it. */
export const resourceType = { topic: 2, broker: 4 } as const;
