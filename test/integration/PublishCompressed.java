import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Publishes one record, as an upstream system on the JVM would: brokers, topic, compression, key, value. */
public class PublishCompressed {
  public static void main(String[] given) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", given[0]);
    settings.put("compression.type", given[2]);
    settings.put("acks", "all");
    settings.put("max.block.ms", "10000");
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      var record = new ProducerRecord<>(given[1], given[3], given[4]);
      record.headers().add("content-type", "application/cloudevents+json".getBytes());
      producer.send(record).get();
    }
  }
}
