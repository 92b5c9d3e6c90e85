package org.dunlin.it.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.it.CProgram;
import org.dunlin.it.RunningBroker;

/** loginstorm.c against a broker, as a process of its own that ends by itself. One thread. */
final class LoginStorm {
    private final Process process;

    LoginStorm(RunningBroker broker, String... arguments) throws IOException {
        Path program = CProgram.compiled("loginstorm", "loginstorm");
        List<String> command = new ArrayList<>(List.of(program.toString(), "port=" + broker.port()));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    boolean isOver() {
        return !process.isAlive();
    }

    /** What it counted, by name; waits for its end. */
    Map<String, Double> figures() throws IOException, InterruptedException {
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        process.waitFor();
        Map<String, Double> figures = new HashMap<>();
        for (String pair : said.split(" ")) {
            String[] parts = pair.split("=");
            if (parts.length != 2) {
                throw new AssertionError(said);
            }
            figures.put(parts[0], Double.valueOf(parts[1]));
        }
        System.out.println("loginstorm: " + said);
        return figures;
    }
}
