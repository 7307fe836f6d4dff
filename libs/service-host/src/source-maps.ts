import { setSourceMapsSupport } from 'node:module';

// Before any other module of the process is loaded. A package's own maps would cost a third of the start and help nobody here.
setSourceMapsSupport(true, { nodeModules: false });
