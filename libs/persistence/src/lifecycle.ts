/** The lifecycle of a version row: an SQL expression over the columns of the alias. Archived rows are deprecated as well. */
export function lifecycleOf(alias: string): string {
  return `case when ${alias}.archived_at is not null then 'archived' when ${alias}.deprecated_at is not null then 'deprecated' else 'active' end`;
}
