import java.io.File;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads the registry with Kafka's own client and Avro alone.
 *
 * <pre>
 * RegistryReader BROKERS PREFIX SCHEMAS dump [COUNT]   every subject, one JSON object per line
 * RegistryReader BROKERS PREFIX SCHEMAS find CODE      one company, by its unified social credit code
 * </pre>
 *
 * SCHEMAS is the folder with ids.lock and avro/; several, as in a class path, where a site has departments of its own.
 */
public final class RegistryReader {
    private static final String LEGAL = "registry.legal-person";
    private static final String NATURAL = "registry.natural-person";
    private static final String WATERMARK = "~watermark:";

    private final String prefix;
    private final Map<Integer, Schema> schemas;
    private final KafkaConsumer<byte[], byte[]> consumer;

    private RegistryReader(String brokers, String prefix, String folders) throws IOException {
        this.prefix = prefix;
        this.schemas = schemas(folders.split(File.pathSeparator));
        this.consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", brokers,
                        // What the exchange has not committed, or has taken back, must not be seen.
                        "isolation.level", "read_committed",
                        "enable.auto.commit", "false"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    public static void main(String[] arguments) throws IOException {
        RegistryReader reader = new RegistryReader(arguments[0], arguments[1], arguments[2]);
        boolean found = arguments[3].equals("find")
                ? reader.find(arguments[4])
                : reader.dump(arguments.length > 4 ? Long.parseLong(arguments[4]) : Long.MAX_VALUE);
        reader.consumer.close();
        System.exit(found ? 0 : 1);
    }

    private boolean dump(long count) {
        long left = count;
        for (String topic : List.of(LEGAL, NATURAL)) {
            Table table = read(topic, partitions(topic));
            table.subjects.entrySet().stream().limit(left).forEach(row -> print(row.getKey(), row.getValue()));
            left = Math.max(0, left - table.subjects.size());
        }
        return true;
    }

    /** A company is looked for where its key lies: one partition is read, not the whole topic. */
    private boolean find(String creditCode) {
        String subject = "legal:org:" + creditCode.substring(8, 17);
        Table table = read(LEGAL, List.of(partition(subject)));
        if (isAlias(table.subjects.get(subject))) {
            // The subject is listed under another key; an alias is followed one step, never more.
            subject = table.subjects.get(subject).get("alias_of").toString();
            table = read(LEGAL, List.of(partition(subject)));
        }
        // Nothing here means "nothing on record" only up to what every source's watermark says.
        for (GenericRecord mark : table.watermarks.values()) {
            System.err.println(mark.get("source") + " complete until " + json(mark, "complete_until"));
        }
        GenericRecord value = table.subjects.get(subject);
        if (value != null) {
            print(subject, value);
        }
        return value != null;
    }

    /** The newest value of every key; a null takes it away. */
    private Table read(String topic, List<TopicPartition> partitions) {
        Table table = new Table(new TreeMap<>(), new TreeMap<>());
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofSeconds(1))) {
                String key = new String(message.key(), StandardCharsets.UTF_8);
                Map<String, GenericRecord> rows = key.startsWith(WATERMARK) ? table.watermarks : table.subjects;
                if (message.value() == null) {
                    rows.remove(key);
                } else {
                    rows.put(key, decode(message.value()));
                }
            }
        }
        return table;
    }

    /** Subjects: entries, gone ones among them, and aliases. Watermarks: what each source lets us conclude. */
    private record Table(TreeMap<String, GenericRecord> subjects, TreeMap<String, GenericRecord> watermarks) {}

    private List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, consumer.partitionsFor(prefix + topic).size())
                .mapToObj(number -> new TopicPartition(prefix + topic, number))
                .toList();
    }

    /** Where Kafka's own producer would put the key. */
    private TopicPartition partition(String subject) {
        byte[] key = subject.getBytes(StandardCharsets.UTF_8);
        int count = consumer.partitionsFor(prefix + LEGAL).size();
        return new TopicPartition(prefix + LEGAL, BuiltInPartitioner.partitionForKey(key, count));
    }

    // A value is a zero byte, the schema's id in four bytes, and Avro binary.

    private GenericRecord decode(byte[] value) {
        ByteBuffer frame = ByteBuffer.wrap(value);
        if (frame.get() != 0) {
            throw new IllegalStateException("not framed");
        }
        int id = frame.getInt();
        Schema schema = schemas.get(id);
        if (schema == null) {
            // Never skip it: the table would be wrong. A newer copy of the schemas folder knows it.
            throw new IllegalStateException("unknown schema id " + id);
        }
        try {
            BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null);
            return new GenericDatumReader<GenericRecord>(schema).read(null, decoder);
        } catch (IOException exception) {
            throw new IllegalStateException("malformed value of " + schema.getFullName(), exception);
        }
    }

    /** ids.lock has a line per schema: id, SHA-256, name; the file is avro/NAME.avsc. */
    private static Map<Integer, Schema> schemas(String... folders) throws IOException {
        Map<Integer, Schema> found = new HashMap<>();
        for (String folder : folders) {
            for (String line : Files.readAllLines(Path.of(folder, "ids.lock"))) {
                String[] words = line.trim().split("\\s+");
                Path file = Path.of(folder, "avro", words[2] + ".avsc");
                found.put(Integer.valueOf(words[0]), new Schema.Parser().parse(file.toFile()));
            }
        }
        return found;
    }

    private static boolean isAlias(GenericRecord value) {
        return value != null && value.getSchema().getFullName().equals("tongban.registry.Alias");
    }

    // JSON with sorted keys, dates in ISO form and bytes in hex, as `exchange dump` prints it.

    private static void print(String subject, GenericRecord value) {
        byte[] line = (isAlias(value) ? aliasJson(subject, value) : json(value.getSchema(), value))
                .getBytes(StandardCharsets.UTF_8);
        System.out.write(line, 0, line.length);
        System.out.write('\n');
        System.out.flush();
    }

    /** An alias does not say whose it is: its key does. */
    private static String aliasJson(String subject, GenericRecord alias) {
        return "{\"alias_epoch\": " + json(alias, "alias_epoch") + ", \"alias_of\": " + json(alias, "alias_of")
                + ", \"subject\": " + quoted(subject) + "}";
    }

    private static String json(GenericRecord record, String field) {
        return json(record.getSchema().getField(field).schema(), record.get(field));
    }

    private static String json(Schema schema, Object value) {
        return switch (schema.getType()) {
            case UNION -> json(schema.getTypes().get(GenericData.get().resolveUnion(schema, value)), value);
            case RECORD -> schema.getFields().stream()
                    .sorted((one, other) -> one.name().compareTo(other.name()))
                    .map(field -> quoted(field.name()) + ": " + json((GenericRecord) value, field.name()))
                    .collect(Collectors.joining(", ", "{", "}"));
            case ARRAY -> ((List<?>) value).stream()
                    .map(item -> json(schema.getElementType(), item))
                    .collect(Collectors.joining(", ", "[", "]"));
            case INT -> schema.getLogicalType() instanceof LogicalTypes.Date
                    ? quoted(LocalDate.ofEpochDay((int) value).toString())
                    : value.toString();
            case LONG -> schema.getLogicalType() instanceof LogicalTypes.TimestampMillis
                    ? quoted(TIME.format(Instant.ofEpochMilli((long) value)))
                    : value.toString();
            case FIXED -> quoted(HexFormat.of().formatHex(((GenericFixed) value).bytes()));
            case BYTES -> quoted(bytes(schema, (ByteBuffer) value));
            case STRING, ENUM -> quoted(value.toString());
            case NULL, BOOLEAN -> String.valueOf(value);
            default -> throw new IllegalStateException("no such type in a registry value: " + schema.getType());
        };
    }

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private static String bytes(Schema schema, ByteBuffer value) {
        byte[] bytes = new byte[value.remaining()];
        value.duplicate().get(bytes);
        return schema.getLogicalType() instanceof LogicalTypes.Decimal decimal
                ? new BigDecimal(new BigInteger(bytes), decimal.getScale()).toString()
                : HexFormat.of().formatHex(bytes);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char character : text.toCharArray()) {
            switch (character) {
                case '"', '\\' -> quoted.append('\\').append(character);
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                case '\b' -> quoted.append("\\b");
                case '\f' -> quoted.append("\\f");
                default -> quoted.append(character < ' ' ? String.format("\\u%04x", (int) character) : character);
            }
        }
        return quoted.append('"').toString();
    }
}
