/** Channels every tenant has. What they mean is fixed; a tenant adds its own beside them. */
export const BUILT_IN_CHANNELS = [
  { name: 'edge', description: 'Everything that was published, as soon as it is there' },
  { name: 'beta', description: 'Candidates for stable, for those who try them first' },
  { name: 'stable', description: 'For everyday use' },
  { name: 'lts', description: 'Supported for a long time, changed as little as possible' },
] as const;

export function isBuiltInChannel(name: string): boolean {
  return BUILT_IN_CHANNELS.some(channel => channel.name === name);
}
