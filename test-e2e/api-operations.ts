interface Operation {
  readonly operationId: string;
  readonly 'x-effect'?: string;
}

/** Every operation of the served API and what it says its effect is. */
export async function apiOperations(gatewayUrl: string) {
  const { paths } = (await (await fetch(`${gatewayUrl}/api/openapi.json`)).json()) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operationId: operation.operationId,
      effect: operation['x-effect'] ?? 'read',
    })),
  );
}
