import { AppError } from "../errors.ts";

export const storeInvalid = () => new AppError("store-invalid", "The revocation store is being repaired.");
