import { expect, test } from "bun:test";
import { formatTable } from "../../kernel/nftables/format-table.ts";
import type { PortBinding } from "../contract.ts";
import { planElements, planFirewall } from "./plan-firewall.ts";

const web: PortBinding = { protocol: "tcp", containerPort: 80, hostIp: "0.0.0.0", hostPort: 8080 };
const names: PortBinding = { protocol: "udp", containerPort: 53, hostIp: "127.0.0.1", hostPort: 5353 };

test("a network with published ports becomes this table", () => {
  const table = planFirewall({ bridgeName: "gantry0", subnet: "172.17.0.0/16" }, [
    { ipAddress: "172.17.0.2", ports: [web, names] },
  ]);
  expect(formatTable(table)).toMatchInlineSnapshot(`
    "table ip gantry0 {
    	map published_on_address {
    		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
    		elements = { 127.0.0.1 . udp . 5353 : 172.17.0.2 . 53 }
    	}

    	map published {
    		type inet_proto . inet_service : ipv4_addr . inet_service
    		elements = { tcp . 8080 : 172.17.0.2 . 80 }
    	}

    	chain raw {
    		type filter hook prerouting priority raw; policy accept;
    		iifname "gantry0" ip daddr 127.0.0.0/8 drop comment "a container cannot reach services on the host's loopback"
    	}

    	chain publish {
    		dnat ip to ip daddr . meta l4proto . th dport map @published_on_address comment "port published on one address"
    		dnat ip to meta l4proto . th dport map @published comment "port published on all addresses"
    	}

    	chain prerouting {
    		type nat hook prerouting priority dstnat; policy accept;
    		ip daddr 127.0.0.0/8 return comment "loopback is for this host: a neighbour cannot use it"
    		fib daddr type local jump publish comment "published ports, from elsewhere"
    	}

    	chain output {
    		type nat hook output priority -100; policy accept;
    		fib daddr type local jump publish comment "published ports, from this host"
    	}

    	chain postrouting {
    		type nat hook postrouting priority srcnat; policy accept;
    		ip saddr 172.17.0.0/16 oifname != "gantry0" masquerade comment "containers to the outside"
    		ip saddr 127.0.0.0/8 oifname "gantry0" masquerade comment "loopback of this host to a published port"
    		ip saddr 172.17.0.0/16 oifname "gantry0" ct status dnat masquerade comment "a container to a port published by its neighbour or itself"
    	}

    	chain forward {
    		type filter hook forward priority filter; policy accept;
    		oifname "gantry0" ct state established,related accept comment "answers"
    		oifname "gantry0" ct status dnat accept comment "published ports"
    		iifname "gantry0" oifname "gantry0" accept comment "between containers of the network"
    		iifname "gantry0" accept comment "containers to the outside"
    		oifname "gantry0" drop comment "ports that are not published"
    	}
    }
    "
  `);
});

test("a network without ports has empty maps", () => {
  const table = planFirewall({ bridgeName: "gantry0", subnet: "172.17.0.0/16" }, []);
  expect(table.maps.map((map) => map.elements)).toEqual([[], []]);
});

test("only maps with a change are named", () => {
  expect(planElements([{ ipAddress: "172.17.0.2", ports: [web] }])).toEqual([
    {
      map: {
        name: "published",
        key: ["inet_proto", "inet_service"],
        value: ["ipv4_addr", "inet_service"],
      },
      elements: [{ key: ["tcp", 8080], value: ["172.17.0.2", 80] }],
    },
  ]);
  expect(planElements([{ ipAddress: "172.17.0.2", ports: [] }])).toEqual([]);
});
