import type { Admin } from '#libs/log';

/** Removes every topic and consumer group of a prefix. */
export async function remove(admin: Admin, prefix: string): Promise<void> {
  const mine = (names: string[]) => names.filter((name) => name.startsWith(prefix));
  await admin.deleteTopics({ topics: mine(await admin.listTopics()) });
  const { groups } = await admin.listGroups();
  await admin.deleteGroups(mine(groups.map(({ groupId }) => groupId)));
}
