import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A group rolls from the classic protocol to that of KIP-848 and back, member by member, while records come in.
 * Arguments: bootstrap servers, class of the classic members' assignor. Prints what the group is after each step,
 * and what was not consumed.
 */
public class GroupRollover {
  static final int PARTITIONS = 6;
  static String bootstrap;
  static String assignor;
  static String group;
  static String topic;
  static final Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();
  static final Map<String, Member> members = new TreeMap<>();

  static class Member {
    final AtomicBoolean stop = new AtomicBoolean();
    volatile int owned = -1;
    volatile String failure = null;
    final Thread thread;

    Member(String protocol, String instance) {
      Properties p = new Properties();
      p.put("bootstrap.servers", bootstrap);
      p.put("group.id", group);
      p.put("group.protocol", protocol);
      p.put("auto.offset.reset", "earliest");
      p.put("auto.commit.interval.ms", "500");
      if (instance != null) p.put("group.instance.id", instance);
      if (protocol.equals("classic")) {
        p.put("partition.assignment.strategy", assignor);
        p.put("session.timeout.ms", "10000");
        p.put("heartbeat.interval.ms", "300");
      }
      thread = new Thread(() -> {
        try (KafkaConsumer<String, String> c = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
          c.subscribe(List.of(topic));
          while (!stop.get()) {
            for (ConsumerRecord<String, String> r : c.poll(Duration.ofMillis(100)))
              seen.computeIfAbsent(r.value(), v -> new AtomicInteger()).incrementAndGet();
            owned = c.assignment().size();
          }
        } catch (Throwable e) {
          failure = e.toString();
        }
      });
      thread.start();
    }
  }

  static String describe(Admin admin) throws Exception {
    ConsumerGroupDescription d = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    TreeMap<String, Integer> kinds = new TreeMap<>();
    d.members().forEach(m -> kinds.merge(m.upgraded().map(u -> u ? "consumer" : "classic").orElse("unknown"), 1, Integer::sum));
    return d.type() + " " + d.groupState() + " " + kinds;
  }

  /** Until every partition has one owner and the group says that it is stable. */
  static void settled(Admin admin, String step) throws Exception {
    String last = "";
    long end = System.currentTimeMillis() + 60_000;
    int good = 0;
    while (System.currentTimeMillis() < end) {
      int owned = 0;
      boolean idle = false;
      for (Member m : members.values()) {
        if (m.failure != null) { System.out.println(step + ": a member failed: " + m.failure); return; }
        owned += Math.max(0, m.owned);
        idle |= m.owned < 1;
      }
      try {
        last = describe(admin);
      } catch (ExecutionException e) {
        last = e.getCause().toString();
      }
      good = owned == PARTITIONS && !idle && last.contains("Stable") ? good + 1 : 0;
      if (good == 3) { System.out.println(step + ": " + last); return; }
      Thread.sleep(200);
    }
    System.out.println(step + ": not settled: " + last);
  }

  static void end(String name) throws Exception {
    Member m = members.remove(name);
    m.stop.set(true);
    m.thread.join(30_000);
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    assignor = args[1];
    boolean fixed = args.length > 2 && args[2].equals("static");
    group = topic = "rollover-" + System.nanoTime();
    Properties p = new Properties();
    p.put("bootstrap.servers", bootstrap);
    Admin admin = Admin.create(p);
    admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1))).all().get();
    AtomicBoolean producing = new AtomicBoolean(true);
    AtomicInteger sent = new AtomicInteger();
    Thread producer = new Thread(() -> {
      try (KafkaProducer<String, String> out = new KafkaProducer<>(p, new StringSerializer(), new StringSerializer())) {
        while (producing.get()) {
          int n = sent.getAndIncrement();
          out.send(new ProducerRecord<>(topic, n % PARTITIONS, null, "v" + n));
          Thread.sleep(10);
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    producer.start();
    String a = fixed ? "one" : null, b = fixed ? "two" : null;
    members.put("a", new Member("classic", a));
    members.put("b", new Member("classic", b));
    settled(admin, "two classic");
    if (!fixed) {
      members.put("c", new Member("consumer", null));
      settled(admin, "a consumer joins");
      end("a");
      settled(admin, "a classic one leaves");
      members.put("a", new Member("classic", null));
      settled(admin, "a classic one joins");
      end("a");
    } else {
      end("a");
      members.put("a", new Member("consumer", a));
      settled(admin, "the first static one is replaced");
    }
    end("b");
    members.put("b", new Member("consumer", b));
    settled(admin, "only consumers");
    members.put("d", new Member("classic", fixed ? "three" : null));
    settled(admin, "a classic one joins consumers");
    end("b");
    settled(admin, "a consumer leaves");
    end(fixed ? "a" : "c");
    settled(admin, "the last consumer leaves");
    producing.set(false);
    producer.join();
    long until = System.currentTimeMillis() + 20_000;
    while (seen.size() < sent.get() && System.currentTimeMillis() < until) Thread.sleep(100);
    long twice = seen.values().stream().filter(n -> n.get() > 1).count();
    System.out.println("not consumed: " + (sent.get() - seen.size()));
    System.err.println("sent " + sent.get() + ", consumed more than once " + twice);
    for (String name : new ArrayList<>(members.keySet())) end(name);
    admin.close();
    System.exit(0);
  }
}
