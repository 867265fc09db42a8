import { type ServerParams, startServer } from "./http-servers.ts";

const [, , variant = "", params = "null"] = process.argv;
process.send?.(await startServer(variant, JSON.parse(params) as ServerParams));
