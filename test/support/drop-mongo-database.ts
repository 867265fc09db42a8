import mongoose from "mongoose";

export async function dropMongoDatabase(url: string, name: string): Promise<void> {
  const connection = await mongoose.createConnection(url, { dbName: name }).asPromise();
  try {
    await connection.dropDatabase();
  } finally {
    await connection.close();
  }
}
