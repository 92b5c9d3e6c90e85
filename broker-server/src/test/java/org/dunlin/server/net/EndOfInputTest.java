package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Publish;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The end of what a client sends never overtakes what it has sent. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class EndOfInputTest {
    /** It is told between the end of a pause and the task that decodes what came in the pause. */
    @Test
    void end_rightAfterAPause_comesBehindTheDataOfThePause() throws Exception {
        AtomicReference<ChannelHandlerContext> below = new AtomicReference<>();
        Layer layer = allocator -> List.of(new ChannelInboundHandlerAdapter() {
            @Override
            public void handlerAdded(ChannelHandlerContext context) {
                below.set(context);
            }
        });
        byte[] publish = Rig.publishBytes(300, 1); // there with the first read
        try (Rig rig = new Rig(
                Transport.best(),
                Rig.Layer.PLAIN,
                List.of(layer),
                ChannelMoveTest.limits(Rig.WAIT_MILLIS),
                Integer.MAX_VALUE,
                probe -> packet -> {
                    if (packet instanceof Connect connect) {
                        probe.agree(connect.version());
                        probe.connection.holdInput();
                        probe.run(() -> {
                            probe.connection.releaseInput();
                            below.get().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                        });
                    } else if (packet instanceof Publish published) {
                        probe.echo(published);
                    }
                })) {
            Rig.Client client = rig.connect();
            client.send(Rig.join(Rig.connectBytes(), publish));
            assertArrayEquals(publish, client.read(publish.length));
            Rig.await("the end", () -> rig.probe().closed == 1);
            client.close();
        }
    }
}
