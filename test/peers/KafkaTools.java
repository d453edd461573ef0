import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's own tools one after the other in one JVM: a command a line, its words between tabs.
 * Answers with a line "exit STATUS BYTES" and what the tool printed.
 */
public final class KafkaTools {
  private static final class Exited extends RuntimeException {
    Exited() {
      super(null, null, false, false);
    }
  }

  private static int status;
  private static boolean ended;

  private static void end(int with) {
    if (!ended) status = with;
    ended = true;
    throw new Exited();
  }

  public static void main(String[] none) throws Exception {
    Exit.setExitProcedure((with, message) -> end(with));
    Exit.setHaltProcedure((with, message) -> end(with));
    PrintStream answers = System.out;
    var commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = commands.readLine()) != null; ) {
      String[] words = line.split("\t", -1);
      var printed = new ByteArrayOutputStream();
      var output = new PrintStream(printed, true, StandardCharsets.UTF_8);
      System.setOut(output);
      System.setErr(output);
      status = 0;
      ended = false;
      try {
        Class.forName(words[0])
            .getMethod("main", String[].class)
            .invoke(null, (Object) Arrays.copyOfRange(words, 1, words.length));
      } catch (InvocationTargetException e) {
        if (!(e.getCause() instanceof Exited)) {
          e.getCause().printStackTrace(output);
          status = 70;
        }
      }
      output.flush();
      answers.println("exit " + status + " " + printed.size());
      answers.write(printed.toByteArray());
      answers.println();
      answers.flush();
    }
  }
}
